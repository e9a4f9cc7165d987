"""One stand-in per platform, named as the platform's connector file."""
