"""One voter's right in one poll: who holds it, who used it up, and how a station goes on when the wire is cut."""
