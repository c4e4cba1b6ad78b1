"""A moving body with labelled posture and gait, the sensors on it, virtual wearables and fleets."""
