"""Tracking state outside the network: memories of objects as plain values, and the policies that use them."""
