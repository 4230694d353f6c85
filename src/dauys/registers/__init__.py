"""Who and where: areas, stations, and the poll that is held there."""
