"""Ten steps that do nothing, one after the other, in Metaflow: ``python metaflow_flow.py run``."""

from __future__ import annotations

from metaflow import FlowSpec, step


class Ten(FlowSpec):
    """Each step is a process."""

    @step
    def start(self) -> None:
        """Do nothing."""
        self.next(self.step_2)

    @step
    def step_2(self) -> None:
        """Do nothing."""
        self.next(self.step_3)

    @step
    def step_3(self) -> None:
        """Do nothing."""
        self.next(self.step_4)

    @step
    def step_4(self) -> None:
        """Do nothing."""
        self.next(self.step_5)

    @step
    def step_5(self) -> None:
        """Do nothing."""
        self.next(self.step_6)

    @step
    def step_6(self) -> None:
        """Do nothing."""
        self.next(self.step_7)

    @step
    def step_7(self) -> None:
        """Do nothing."""
        self.next(self.step_8)

    @step
    def step_8(self) -> None:
        """Do nothing."""
        self.next(self.step_9)

    @step
    def step_9(self) -> None:
        """Do nothing."""
        self.next(self.end)

    @step
    def end(self) -> None:
        """Do nothing."""


if __name__ == "__main__":
    Ten()
