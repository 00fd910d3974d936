"""What a judgement found, as records, text, JSON and JUnit XML."""
