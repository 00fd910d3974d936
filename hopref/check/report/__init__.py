"""Results of a judgement, as records, text, JSON and JUnit XML."""
