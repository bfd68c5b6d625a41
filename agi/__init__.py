"""The only code that speaks FastAGI and AMI. It translates; it does not decide."""
