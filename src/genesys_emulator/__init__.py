"""A Genesys Cloud on this machine: a contact centre that is made up, and the API that tells of it.

It knows nothing of any client. What the real API leaves out, splits, orders
at will, delays or refuses, this one does too; what it does not emulate it
refuses with a 501, so that no answer is a wrong one.
"""
