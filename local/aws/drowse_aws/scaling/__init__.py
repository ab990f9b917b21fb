"""Auto Scaling groups that really have instances: ministack keeps the records, this makes them true."""
