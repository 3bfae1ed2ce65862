"""What pumpguard costs, measured side by side with the bare app and with its peers."""
