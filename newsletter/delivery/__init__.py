"""Planning a mailing, handing its messages over, and writing down what became of each."""
