"""What the numbers prove: bounds, non-inferiority, and what would settle an open question.

``absolute`` judges one model against a limit, ``paired`` two models on the same rows, ``smoke``
a handful of rows, ``gate`` many measures together; ``power`` tells beforehand what rows can
prove. Of what goes on, ``sequence`` remembers labels, ``watching`` judges them at any time, and
``operating`` tells beforehand what that does; ``bets`` holds the mathematics. Every bound is
one-sided 95 %.
"""
