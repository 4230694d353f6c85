"""The shell of the site: app factory, layout, languages, static files. Rooms bring their own pages."""
