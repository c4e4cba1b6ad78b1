"""Streaming posture and gait analytics: pure steps from blocks of samples to results."""
