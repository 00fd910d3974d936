"""What validation refuses, what it leaves alone, and which path a call takes."""
