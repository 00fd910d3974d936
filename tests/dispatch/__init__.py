"""What the door refuses, what it leaves alone, and which path it takes."""
