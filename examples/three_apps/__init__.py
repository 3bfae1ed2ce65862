"""Three apps in shapes that are not the target app's, each with its policy: docs/setup.md."""
