"""How the schema grows: alembic, configured in code."""
