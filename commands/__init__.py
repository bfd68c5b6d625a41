"""The commands of `leaseline`: one file a group. They translate between a terminal and the services."""
