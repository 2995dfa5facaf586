"""Alembic's entry: runs the migrations on the connection that `engine.durable.migrate` hands over."""

from alembic import context
from sqlmodel import SQLModel

import engine.durable.sending_tables  # noqa: F401 - fills the metadata, with the tables it builds on

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, transactional_ddl=False)
context.run_migrations()
