"""What tests of more than one file use."""
