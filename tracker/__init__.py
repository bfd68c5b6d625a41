"""The product: who holds a number, what happened on a call, what the books say. Knows no edge."""
