"""The page frame: name, icon, style sheet."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

NAME = "Postbench"
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#4253d6"/>'
    '<path d="M7 11.5h18v11H7z" fill="none" stroke="#fff" stroke-width="2.2" stroke-linejoin="round"/>'
    '<path d="M7.5 12l8.5 6.5L24.500 12" fill="none" stroke="#fff" stroke-width="2.2" stroke-linejoin="round"/></svg>'
)
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 168 32" width="168" height="32">'
    f'<svg width="32" height="32" viewBox="0 0 32 32">{ICON}</svg>'
    '<text x="42" y="22" font-family="Inter, system-ui, sans-serif" font-size="19" font-weight="650" letter-spacing="-.5" '
    'fill="#5b6cf0">Postbench</text></svg>'
)


@cache
def _style() -> str:
    return f"<style>{(Path(__file__).parent / 'style.css').read_text()}</style>"


def frame() -> None:
    """Name, icon, width and style of every page."""
    st.set_page_config(NAME, ICON, layout="wide", menu_items={"about": f"**{NAME}** · a workbench for e-mail lists"})
    st.html(_style())
    st.logo(LOGO, size="large", icon_image=ICON)
