"""Does every displayed equation of the book hold?  README.md says what can be read and what "proved" means."""
