"""Growth of cost with size: memory, counted work and time of any callable, and their exponents."""
