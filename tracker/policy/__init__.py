"""Pure decisions: frozen facts and an instant in, a value out. No database, no socket, no clock."""
