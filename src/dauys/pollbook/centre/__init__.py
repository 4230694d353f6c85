"""The centre takes logs and moves rights, by SQL."""
