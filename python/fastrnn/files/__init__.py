"""Files in general: written under another name and renamed, read without trust. Knows no models."""
