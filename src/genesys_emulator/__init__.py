"""An emulator of Genesys Cloud: a simulated contact centre, and the API that reports on it.

It knows nothing of any client. It leaves out, splits, shuffles, delays and
refuses data as the real API does, and answers 501 to requests that it does not
emulate, so that no answer is a wrong one.
"""
