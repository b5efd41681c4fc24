"""The quick cases, one module for each subject."""
