"""What several tests use: oracle, problems, twins in Keras. tests/README.md says which is what."""
