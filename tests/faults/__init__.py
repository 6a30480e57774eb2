"""What is left when something dies: processes, database servers, disks. `docs/operations.md` says what was found."""
