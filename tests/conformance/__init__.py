"""One suite for all clients: the same cases through each of them, against a real server."""
