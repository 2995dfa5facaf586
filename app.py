"""The web process: Streamlit pages and the API on one port, and an engine as a child. `python app.py` starts it all."""

import streamlit as st

from engine.api import serving
from engine.api.app import build

api = build()
app = st.App(
    "pages/_router.py",
    routes=serving.routes(api),
    lifespan=serving.lifespan(api),
    middleware=serving.guards(),
)

if __name__ == "__main__":
    serving.run(app, api)
