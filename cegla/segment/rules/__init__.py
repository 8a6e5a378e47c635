"""The pure core of segments: rules as trees, operators as rows, expressions, sentences."""
