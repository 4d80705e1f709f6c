"""Tables of cases for what is pure: no sockets, no database, no clock."""
