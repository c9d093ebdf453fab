"""What the numbers prove: bounds, non-inferiority, and what would settle an open question.

``absolute`` judges one model against a limit, ``paired`` two models on the same rows, ``smoke``
a handful of rows; ``power`` tells beforehand what rows can prove. Every bound is one-sided 95 %.
"""
