"""What a reader does, through whichever door: sign up, confirm, choose, look, leave; and the letters about it."""
