"""What every version of this model must know.

The pipeline runs these tests on its candidate; alone, `pytest` runs them on the newest version.
"""


def test_who_leaves_an_hour_late_arrives_late(seatrial_model, seatrial_dataset):
    flights = dict(seatrial_dataset("validation_data").features)
    flights["dep_delay"] = flights["dep_delay"] * 0 + 60
    assert seatrial_model.predict(flights).mean() > 0.95


def test_it_knows_the_largest_airport(seatrial_dataset, seatrial_model, assert_better_than):
    flights = seatrial_dataset("validation_data")
    assert_better_than(seatrial_model, 0.8, on=flights.where(origin="JFK"))


def test_it_is_no_worse_than_what_serves(seatrial_model, seatrial_production, assert_better_than):
    assert_better_than(seatrial_model, seatrial_production, margin=0.05)
