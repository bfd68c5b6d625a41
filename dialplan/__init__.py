"""The path of a call as Asterisk is told it: templates, one stage a file, and their renderer."""
