"""Who is told of an alert, and how: channels, routes, and the inbox of each person."""
