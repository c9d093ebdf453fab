"""How far is one distribution from another? One file for each family of measures.

A smooth function of the shares (``formulas.py``) is estimated by the three moments of its plug-in
value (``moments.py``, ``smooth.py``); a norm of the difference of the shares (``norms.py``) by the
triangle inequality and the norm of its noise (``noise.py``).
"""
