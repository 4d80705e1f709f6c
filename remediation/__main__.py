"""`python -m remediation`, and the command `remediation` where the package is installed."""

from .commands import remediation


def main() -> None:
    remediation(prog_name="remediation")


if __name__ == "__main__":
    main()
