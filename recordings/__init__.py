"""Audio: from the spool to its place, repaired, measured, transcoded, kept and swept."""
