"""The contact centre: its people, its days of work, and the data that this work produces."""
