"""Owns where organizations want their feed sent: webhooks, their secrets, each delivery until it arrives or has failed.

What is sent is the feed's; nothing is sent that could not be read there.
"""
