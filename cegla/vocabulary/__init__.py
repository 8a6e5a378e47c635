"""The nouns every part of Cegla shares: frozen values, no input or output, no clock."""
