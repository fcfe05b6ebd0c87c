"""What the forms about a patient and their chart check."""
