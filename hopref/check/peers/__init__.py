"""Other libraries and conventions: how their functions are called as operations of hopref."""
