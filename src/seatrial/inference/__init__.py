"""What a served model needs: its signature, its session, and proof that it answers as trained.

Only numpy and onnxruntime are imported here, so that a device needs nothing else.
"""
