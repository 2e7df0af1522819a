"""Where files come from and go to: local folders, S3 and SFTP, behind one Protocol."""
