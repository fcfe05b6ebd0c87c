"""An invented office, so that each screen has something true to show. Nobody in it exists."""
