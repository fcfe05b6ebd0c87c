"""The pages about patients and their charts."""
